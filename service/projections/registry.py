"""All projections of the service."""

from __future__ import annotations

from service.projections.credits import CREDITS
from service.projections.gallery import GALLERY
from service.projections.generations import GENERATIONS
from service.projections.projection import Projection
from service.projections.work_list import WORK_LIST

PROJECTIONS: tuple[Projection, ...] = (WORK_LIST, GENERATIONS, GALLERY, CREDITS)
