"""Exercise directories for the tests: solved, or with a fault"""

from numpyvae.exercises.files import PACKAGE, exercise_source
from numpyvae.exercises.table import EXERCISES

CHAPTERS = sorted({exercise.chapter for exercise in EXERCISES})


def source(chapter):
    return (PACKAGE / (chapter.replace(".", "/") + ".py")).read_text("utf-8")


def write_chapter(directory, chapter, text=None):
    """One chapter's file, solved: of the package's source, or of `text` in its place"""
    path = directory / (chapter.replace(".", "/") + ".py")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        exercise_source(
            source(chapter) if text is None else text, chapter, solved=True
        ),
        "utf-8",
    )
    return path


def write_solved(directory):
    for chapter in CHAPTERS:
        write_chapter(directory, chapter)
    return directory
