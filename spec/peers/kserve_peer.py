"""KServe's ModelServer with models of the test: kserve_peer.py DIR

    sum    the sum of each row, by V1 and V2; a row of other than three values is an error of the
           model
    echo   every input as an output of its name, by V2
    odd    NaN, Infinity and -Infinity for each row, by V1 and V2
    late   as echo, but not ready while DIR/late-is-away exists

DIR/kserve.port gets the port."""

import os
import sys

import kserve
from kserve import InferOutput, InferResponse

import loopback


def v2_answer(name, outputs):
    return InferResponse(response_id="1", model_name=name, infer_outputs=outputs)


class Sum(kserve.Model):
    def __init__(self, name):
        super().__init__(name)
        self.ready = True

    def predict(self, payload, headers=None, response_headers=None):
        if isinstance(payload, dict):
            return {"predictions": [self.total(row) for row in payload["instances"]]}
        totals = [self.total(row) for row in payload.inputs[0].as_numpy().tolist()]
        output = InferOutput("total", [len(totals)], "FP64", data=totals)
        return v2_answer(self.name, [output])

    def total(self, row):
        if len(row) != 3:
            raise ValueError(f"expected rows of 3 values, found one of {len(row)}")
        return float(sum(row))


class Echo(kserve.Model):
    def __init__(self, name, away=None):
        self.away = away
        super().__init__(name)

    @property
    def ready(self):
        return self.away is None or not os.path.exists(self.away)

    @ready.setter
    def ready(self, value):
        pass  # the file alone decides

    def predict(self, payload, headers=None, response_headers=None):
        return v2_answer(
            self.name,
            [InferOutput(i.name, i.shape, i.datatype, data=i.data) for i in payload.inputs],
        )


class Odd(kserve.Model):
    def __init__(self, name):
        super().__init__(name)
        self.ready = True

    def predict(self, payload, headers=None, response_headers=None):
        odd = [float("nan"), float("inf"), float("-inf")]
        if isinstance(payload, dict):
            return {"predictions": [odd for _ in payload["instances"]]}
        rows = payload.inputs[0].shape[0]
        return v2_answer(self.name, [InferOutput("odd", [rows, 3], "FP64", data=odd * rows)])


def main(folder):
    loopback.publish(folder + "/kserve.port")
    models = [Sum("sum"), Echo("echo"), Odd("odd"), Echo("late", folder + "/late-is-away")]
    kserve.ModelServer(http_port=0, enable_grpc=False, workers=1).start(models)


main(sys.argv[1])
