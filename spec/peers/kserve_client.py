"""KServe's own client: kserve_client.py URL MODEL ROWS ROWS_PER_REQUEST [MOST]

Asks MODEL by V2 for the rows of a file of JSON lines (the first MOST of them), one request after
another, and prints the values of the first output, one a line."""

import asyncio
import itertools
import json
import sys

from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig


async def ask(client, url, model, rows):
    values = list(itertools.chain.from_iterable(rows))
    tensor = InferInput("x", [len(rows), len(rows[0])], "FP64", data=values)
    reply = await client.infer(url, InferRequest(model, [tensor]), model_name=model)
    return reply.outputs[0].data


async def main(url, model, path, size, most=None):
    client = InferenceRESTClient(RESTConfig(protocol="v2", timeout=60))
    with open(path) as file:
        lines = itertools.islice(file, int(most) if most else None)
        while rows := [json.loads(line) for line in itertools.islice(lines, int(size))]:
            for value in await ask(client, url, model, rows):
                print(value)


asyncio.run(main(*sys.argv[1:]))
