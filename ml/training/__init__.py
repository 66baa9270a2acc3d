"""How the network is made: batches, steps, teachers, averages, checkpoints; then calibration and what is served."""
