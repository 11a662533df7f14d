"""The Mandelbrot set, tile by tile."""
