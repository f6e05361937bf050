"""What image files hold beside plain pixels: transparency, orientation, frames, their format."""
