"""What others bring, converted to IDX: CSV, arrays, PNG files, directories, downloads."""
