#!/bin/bash
# The provider s3 against a server that is not ours (moto, which checks every signature) and next to a
# signer that is not ours (botocore), as TAP: see s3.py. Needs both from the package index; where it
# cannot be reached, everything is skipped. Arguments name tests: functions of s3.py.
set -u
cd "$(dirname "$0")/../.." || exit 1

# shellcheck source=spec/e2e/lib.sh
source spec/e2e/lib.sh
python_needs 'moto[s3,server]==5.2.5' boto3==1.44.8
apisim_up || exit 1
start model "$BUILD/kserve_model" --listen 127.0.0.1:0 --port-file "$work/model.port"
mkdir "$work/account"
printf %s "$namespace" > "$work/account/namespace"
model=http://127.0.0.1:$(port_of model) || exit 1
SERVER=$server MODEL=$model WORK=$work BUILD=$BUILD "$python" spec/e2e/s3.py "$@"
