"""Arrays in, image bytes out; knows nothing of sections or files."""
