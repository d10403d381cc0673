"""The waist: Measurement in, one HDF5 file a checkpoint, Extraction out; no Keras from here on."""
