"""MLServer with models of the test: mlserver_peer.py DIR

Trains a classifier of iris flowers with scikit-learn; DIR/iris.jsonl gets 10,000 flowers made from
the data set, DIR/classes what scikit-learn itself calls them, a class a line. Serves iris and

    echo   every input as an output of its name
    odd    NaN, Infinity and -Infinity for each row
    late   as echo, but loads only once DIR/late-may-load exists

DIR/mlserver.port gets the port."""

import asyncio
import json
import os
import random
import sys

import joblib
import mlserver
from mlserver.settings import ModelParameters, ModelSettings, Settings
from mlserver.types import InferenceResponse, ResponseOutput
from mlserver_sklearn import SKLearnModel
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

import loopback

FLOWERS = 10000


class Echo(mlserver.MLModel):
    async def predict(self, payload):
        return InferenceResponse(
            model_name=self.name,
            outputs=[
                ResponseOutput(name=i.name, datatype=i.datatype, shape=i.shape, data=i.data)
                for i in payload.inputs
            ],
        )


class Odd(mlserver.MLModel):
    async def predict(self, payload):
        rows = payload.inputs[0].shape[0]
        values = [float("nan"), float("inf"), float("-inf")] * rows
        output = ResponseOutput(name="odd", datatype="FP64", shape=[rows, 3], data=values)
        return InferenceResponse(model_name=self.name, outputs=[output])


class Late(Echo):
    async def load(self):
        while not os.path.exists(self.settings.parameters.uri):
            await asyncio.sleep(0.05)
        return True


def train(folder):
    data = load_iris()
    model = LogisticRegression(max_iter=1000).fit(data.data, data.target)
    joblib.dump(model, folder + "/model.joblib")
    chance = random.Random(4)
    flowers = [
        [round(x + chance.uniform(-1, 1), 3) for x in chance.choice(data.data)]
        for _ in range(FLOWERS)
    ]
    with open(folder + "/iris.jsonl", "w") as file:
        file.writelines(json.dumps(flower) + "\n" for flower in flowers)
    with open(folder + "/classes", "w") as file:
        file.writelines(f"{c}\n" for c in model.predict(flowers))


def settings(name, implementation, uri=None):
    return ModelSettings(
        name=name, implementation=implementation, parameters=ModelParameters(uri=uri)
    )


def main(folder):
    train(folder)
    loopback.publish(folder + "/mlserver.port")
    server = mlserver.MLServer(
        Settings(
            debug=False, host="127.0.0.1", http_port=0, grpc_port=0, metrics_endpoint=None,
            parallel_workers=0,
        )
    )
    models = [
        settings("iris", SKLearnModel, folder + "/model.joblib"),
        settings("echo", Echo),
        settings("odd", Odd),
        settings("late", Late, folder + "/late-may-load"),
    ]
    asyncio.run(server.start(models))


main(sys.argv[1])
