#!/usr/bin/env python3
"""Turn the public checkpoint of Granite TimeSeries TTM R2 into the model.pt that Triton serves.

The model is traced to TorchScript, compared with the original on other inputs, and only then
written. What it takes and gives is what config.pbtxt says.
"""

import argparse
import os
import pathlib
import sys
import tempfile
import warnings

HISTORY = 512  # values of a series that the model sees
HORIZON = 96  # values that it forecasts
CHANNELS = 1  # of each series
TOLERANCE = 1e-4

HERE = pathlib.Path(__file__).resolve().parent


def options(arguments):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--model",
        default="ibm-granite/granite-timeseries-ttm-r2",
        help="name on the Hugging Face hub, or a folder with config.json and model.safetensors (%(default)s)",
    )
    parser.add_argument(
        "--revision",
        default="main",
        help="branch, tag or commit on the hub; pin a commit to get the same file again (%(default)s)",
    )
    parser.add_argument(
        "--output",
        type=pathlib.Path,
        default=HERE / "1" / "model.pt",
        help="the file to write (%(default)s)",
    )
    return parser.parse_args(arguments)


def load(torch, model_class, name, revision):
    """The checkpoint as a module from a tensor to a tensor."""
    try:
        model = model_class.from_pretrained(name, revision=revision).eval()
    except (OSError, ValueError) as error:
        sys.exit(f"export: cannot load {name}, revision {revision}: {error}")
    found = (
        model.config.context_length,
        model.config.prediction_length,
        model.config.num_input_channels,
    )
    if found != (HISTORY, HORIZON, CHANNELS):
        sys.exit(
            f"export: {name}, revision {revision}: expected history, horizon and channels "
            f"{(HISTORY, HORIZON, CHANNELS)}, found {found}; choose the revision for {HISTORY}-{HORIZON}"
        )

    class Forecast(torch.nn.Module):
        """Triton takes tensors only; the model answers with an object of several."""

        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, past_values):
            return self.model(past_values=past_values).prediction_outputs

    return Forecast().eval()


def trace(torch, module):
    """The module as TorchScript; ends the program where it forecasts something else."""
    torch.manual_seed(0)
    with torch.no_grad(), warnings.catch_warnings():
        # It warns of each branch that it follows once and for all; the comparison below decides.
        warnings.simplefilter("ignore", torch.jit.TracerWarning)
        traced = torch.jit.trace(module, torch.randn(2, HISTORY, CHANNELS))
        # Tracing writes down what it has seen: other batches show whether a size became a constant.
        for batch in (1, 2, 7):
            series = torch.randn(batch, HISTORY, CHANNELS) * 50 + 100
            wanted, found = module(series), traced(series)
            if tuple(found.shape) != (batch, HORIZON, CHANNELS):
                sys.exit(
                    f"export: expected a forecast of shape {(batch, HORIZON, CHANNELS)}, "
                    f"found {tuple(found.shape)}"
                )
            if not torch.allclose(wanted, found, rtol=TOLERANCE, atol=TOLERANCE):
                off = (wanted - found).abs().max().item()
                sys.exit(
                    f"export: the traced model is off by {off:g} for {batch} series; nothing written"
                )
    return traced


def save(traced, path):
    """Write it whole or not at all."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(dir=path.parent, suffix=".part")
        os.close(handle)
        try:
            traced.save(part)
            os.chmod(part, 0o644)
            os.replace(part, path)
        except BaseException:
            os.unlink(part)
            raise
    except (OSError, RuntimeError) as error:
        sys.exit(f"export: cannot write {path}: {error}")


def main(arguments):
    wanted = options(arguments)
    try:
        import torch
        from tsfm_public import TinyTimeMixerForPrediction
    except ImportError as error:
        sys.exit(f"export: {error}; install what it needs: pip install -r {HERE / 'requirements.txt'}")
    traced = trace(torch, load(torch, TinyTimeMixerForPrediction, wanted.model, wanted.revision))
    save(traced, wanted.output)
    print(f"export: wrote {wanted.output}, {wanted.output.stat().st_size} bytes, torch {torch.__version__}")


if __name__ == "__main__":
    main(sys.argv[1:])
