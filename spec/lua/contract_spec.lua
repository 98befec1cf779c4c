local policy = require "kserve.policy"
local bundle = policy.load "."

local JOB = { id = "5be07ada-5fe0-4c9e-a8bc-aaae67d8d344", name = "inf-example-5be07ada" }

local function config(spec)
  return { spec = spec }
end

local function run(parameters)
  return { spec = { parameters = parameters } }
end

describe("contract", function()
  it("is the example of the specification", function()
    local storage = {
      input = { krateo = { api = { path = "/compute/tritoninput", verb = "POST",
        endpointRef = { name = "handler", namespace = "system" },
        headers = { "Accept: application/json" } } } },
      output = { krateo = { api = { path = "/compute/tritonoutput", verb = "POST" } } },
    }
    local kserve = { modelName = "sklearn-iris", modelUrl = "host/v2/models/ttm/infer",
      modelVersion = "v2", modelInputName = "past_values" }
    local parameters = { input_data_length = "512", key_name = "resourceid" }
    assert.same({ jobId = JOB.id, jobName = JOB.name, kserve = kserve, input = storage.input,
      output = storage.output, parameters = parameters },
      bundle:contract(run(parameters), config { kserve = kserve, storage = storage }, JOB))
  end)

  it("hands the storage on as it is", function()
    local input = { s3 = { { deep = { policy.null } } } }
    local result = bundle:contract(run(), config { storage = { input = input } }, JOB)
    assert.same(input, result.input)
    assert.is_nil(result.output)
  end)

  it("takes the flat fields where the nested ones are not set", function()
    local result = bundle:contract(run(), config {
      modelName = "flat", modelUrl = "flat-url", modelVersion = "v1",
      kserve = { modelName = "nested", modelUrl = "", modelVersion = policy.null },
    }, JOB)
    assert.same({ modelName = "nested", modelUrl = "flat-url", modelVersion = "v1" }, result.kserve)
  end)

  it("carries what the runner can be told, from spec.kserve alone", function()
    local kserve = { modelUrl = "h", protocol = "v1", shape = { -1, 512, 1 }, datatype = "INT64",
      inputs = { { name = "x" } }, columns = { "a" }, headers = { "Host: m" },
      credentialsRef = { name = "model" }, batch = { rows = 10, parallel = 4 },
      timeoutSeconds = 5, patienceSeconds = 60, nonFinite = "fail" }
    local runner = { maxFailedRows = 3, onEmpty = "fail" }
    local result = bundle:contract(run(), config { kserve = kserve, runner = runner,
      credentialsRef = { name = "pull" }, protocol = "v2" }, JOB)
    assert.same(kserve, result.kserve)
    assert.same(runner, result.runner)
    assert.same({}, bundle:contract(run(), config { credentialsRef = { name = "pull" } }, JOB).kserve)
  end)

  it("has no field that nobody has set", function()
    assert.same({ jobId = JOB.id, jobName = JOB.name, kserve = {} },
      bundle:contract(run(), config {}, JOB))
  end)

  it("takes null for not set", function()
    local result = bundle:contract(run(), config { kserve = policy.null, storage = policy.null }, JOB)
    assert.same({ jobId = JOB.id, jobName = JOB.name, kserve = {} }, result)
  end)
end)
