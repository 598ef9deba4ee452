"""Files that ship with the runtime."""
