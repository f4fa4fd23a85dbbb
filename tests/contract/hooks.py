"""Lets two of three generated calls name things that are there."""

import json
import os

import schemathesis

KNOWN = json.loads(os.environ["TILLBOX_KNOWN"])
calls = 0


@schemathesis.hook
def map_path_parameters(_context, path_parameters):
    global calls
    calls += 1
    if calls % 3 and path_parameters:
        return {name: KNOWN.get(name, value) for name, value in path_parameters.items()}
    return path_parameters
