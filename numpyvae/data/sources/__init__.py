"""What others bring: tables, arrays, PNG files, directories, downloads."""
