"""The window: what the user sees and presses; it holds no state."""
