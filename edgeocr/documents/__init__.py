"""Documents whose pages are rendered, such as PDF files: their pages, their text, and the choice of pages."""
