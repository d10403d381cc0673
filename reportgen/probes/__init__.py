"""Images in, ProbeSet out: one reader a format; what the network sees is kept apart from what a person sees."""
