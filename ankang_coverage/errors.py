"""The errors of the library; each is an ``AnkangCoverageError``."""


class AnkangCoverageError(ValueError):
    """Base of every error this library raises for a wrong input."""


class OutOfRangeError(AnkangCoverageError):
    """A value is outside the range of a model or a setting."""


class UnknownNameError(AnkangCoverageError, LookupError):
    """The name of a language, a street map or something else is unknown."""


class ArgumentTypeError(AnkangCoverageError, TypeError):
    """An argument has the wrong type, such as one of two swapped ones."""


class SettingsError(AnkangCoverageError):
    """A setting is unknown, missing or wrong."""


class FileError(AnkangCoverageError):
    """A file is missing, damaged, not of the expected format, or cannot be written."""


class MissingFileError(FileError, FileNotFoundError):
    """There is no such file."""


class LimitError(FileError):
    """A file needs more memory or time than its limit allows."""


class DivisionError(AnkangCoverageError):
    """Administrative polygons, their codes or their parents do not fit together."""


class RasterError(AnkangCoverageError):
    """A raster has the wrong shape, grid, unit or coordinate system."""


class NetworkError(AnkangCoverageError):
    """A table of sites or cells has a wrong column, reference or value."""


class StoreError(AnkangCoverageError):
    """The store of path losses cannot be read or written, or is incomplete."""


class ClusterError(AnkangCoverageError):
    """A cluster cannot be reached, or its workers cannot do the work."""


class CatalogueError(AnkangCoverageError):
    """An antenna, radio layer or service is not in the catalogue or is ill-defined."""


class ScenarioError(SettingsError):
    """A scenario file has an unknown key, a missing table or a wrong value."""


class CoveringError(AnkangCoverageError):
    """A covering problem is malformed, or its constraints contradict each other."""


class PlanningError(AnkangCoverageError):
    """A programme cannot be planned with the region, network and candidates given."""
