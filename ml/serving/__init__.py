"""From a frame to readings: what runs in a lesson. It needs neither Keras nor TensorFlow."""
