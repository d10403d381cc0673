"""What reportgen costs beside what people would use instead: `make bench`."""
