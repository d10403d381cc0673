"""Arrays in, numbers out, each with a published definition in its docstring."""
