"""Images and plots: PNG and SVG files without a plotting library."""
