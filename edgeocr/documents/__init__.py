"""Documents whose pages are rendered: their pages, their own text, and the choice of pages."""
