#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""manifest.py FILE: reads a Kubernetes manifest by the API's types (python3-kubernetes, generated
from its OpenAPI schema): prints kinds, unknown fields, wrong types and missing fields."""
import re
import sys

import yaml
from kubernetes.client import models

PLAIN = {'str': str, 'int': int, 'bool': bool, 'float': (int, float), 'object': object, 'datetime': str}


def check(value, kind, where):
    inner = re.fullmatch(r'(list|dict)[\[(](?:str, )?(.+)[\])]', kind)
    if inner:
        if not isinstance(value, list if inner[1] == 'list' else dict):
            yield '%s: no %s' % (where, inner[1])
            return
        pairs = enumerate(value) if inner[1] == 'list' else value.items()
        for k, v in pairs:
            yield from check(v, inner[2], '%s.%s' % (where, k))
    elif kind in PLAIN:
        if not isinstance(value, PLAIN[kind]) or kind in ('int', 'float') and isinstance(value, bool):
            yield '%s: %r is no %s' % (where, value, kind)
    else:
        yield from check_object(value, getattr(models, kind), where)


def check_object(value, model, where):
    if not isinstance(value, dict):
        yield '%s: no %s' % (where, model.__name__)
        return
    members = {name: member for member, name in model.attribute_map.items()}
    for name, v in value.items():
        if name not in members:
            yield '%s.%s: no field of %s' % (where, name, model.__name__)
        else:
            yield from check(v, model.openapi_types[members[name]], '%s.%s' % (where, name))
    try:    # required fields, and enumerations
        model(**{members[n]: v for n, v in value.items() if n in members})
    except ValueError as e:
        yield '%s: %s' % (where, e)


with open(sys.argv[1]) as f:
    documents = list(yaml.safe_load_all(f))
errors = [e for d in documents for e in check_object(d, getattr(models, 'V1' + d['kind']), d['kind'])]
print(*[d['apiVersion'] + ' ' + d['kind'] for d in documents], *errors, sep='\n')
sys.exit(bool(errors))
