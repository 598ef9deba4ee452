"""The only preprocessing: training, calibration, export and the runtime all call it."""
