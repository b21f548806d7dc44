"""The workflow as a picture, coloured by what one execution did."""

from console.graph.drawing import Edge, Graph, Node, draw
from console.graph.machine import Course, Machine, Transition, read_course

__all__ = ["Course", "Edge", "Graph", "Machine", "Node", "Transition", "draw", "read_course"]
