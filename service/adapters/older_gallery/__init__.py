"""Reading an older gallery, a table or a file, row by row; neither is ever held in memory whole."""

from service.adapters.older_gallery.csv_file import open_csv
from service.adapters.older_gallery.source import OlderGallery
from service.adapters.older_gallery.table import open_table

__all__ = ["OlderGallery", "open_csv", "open_table"]
