"""The figures of the two books, each computed by the package itself."""
