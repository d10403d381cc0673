"""Reports in, run folders, manifest and index out."""
