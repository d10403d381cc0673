"""Every topology in every format of its era: files by the real Keras, and what that Keras makes of the same inputs."""
