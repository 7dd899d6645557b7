"""The newest release of the catalogue, which tests do not name: adding one must not change them."""

from qmpcheck.specs import catalogue

NEWEST = catalogue.find("latest").id
