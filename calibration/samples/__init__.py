"""What calibration looks at: chosen, recorded or given, and examined before it is trusted."""
