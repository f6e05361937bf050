"""Write files so that nothing of the user's is lost: checked first, and replaced when complete."""
