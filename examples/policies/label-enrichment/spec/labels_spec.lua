local policy = require "kserve.policy"
local bundle = policy.load "."

local JOB = { id = "uid", name = "job" }
local CONFIG = { spec = {
  modelUrl = "model",
  storage = {
    input = { krateo = { api = { path = "/in", headers = { "Accept: application/json" } } } },
    output = { krateo = { api = { path = "/out" } } },
  },
} }

local function run(labels, parameters)
  return { metadata = { labels = labels }, spec = { parameters = parameters } }
end

local LABELS = { team = "green", ["cost-centre"] = "4711", ["data-classification"] = "internal" }
local HEADERS = { "X-Team: green", "X-Cost-Centre: 4711", "X-Data-Classification: internal" }

describe("labels", function()
  it("become parameters, beside those of the run", function()
    local result = bundle:contract(run(LABELS, { team = "red", rows = "9" }), CONFIG, JOB)
    assert.same({ team = "green", cost_centre = "4711", data_classification = "internal", rows = "9" },
      result.parameters)
    assert.equal("uid", result.jobId)
  end)

  it("become headers behind those of the config", function()
    local result = bundle:contract(run(LABELS), CONFIG, JOB)
    assert.same({ "Accept: application/json", table.unpack(HEADERS) }, result.input.krateo.api.headers)
    assert.same(HEADERS, result.output.krateo.api.headers)
  end)

  it("leave storage of other providers alone", function()
    local config = { spec = { storage = { input = { s3 = { bucket = "b" } } } } }
    local result = bundle:contract(run(LABELS), config, JOB)
    assert.same({ s3 = { bucket = "b" } }, result.input)
    assert.is_nil(result.output)
  end)

  it("are required, and of the values that are known", function()
    assert.same({}, bundle:validate(nil, run(LABELS), CONFIG))
    assert.equal(3, #bundle:validate(nil, run(nil), CONFIG))
    assert.same({
      { field = "metadata.labels.team", message = "is required" },
      {
        field = "metadata.labels.data-classification",
        message = "expected one of confidential, internal, public, found secret",
      },
    }, bundle:validate(nil, run { ["cost-centre"] = "1", team = "", ["data-classification"] = "secret" },
      CONFIG))
  end)

  it("do not take the place of the built-in rules", function()
    assert.equal("spec.parameters.job_uid", bundle:validate({ job_uid = "x" }, run(LABELS), CONFIG)[1].field)
  end)
end)
