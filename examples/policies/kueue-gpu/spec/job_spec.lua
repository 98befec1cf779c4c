local policy = require "kserve.policy"
local bundle = policy.load "."

local CONFIG = { spec = {} }

local function run(gpus)
  return { metadata = { namespace = "team-a" }, spec = { parameters = gpus and { gpus = gpus } } }
end

local function job(changes)
  local pod = { containers = { { name = "sidecar" }, { name = "inference", image = "runner" } } }
  for name, value in pairs(changes or {}) do
    pod[name] = value
  end
  return {
    kind = "Job",
    metadata = { labels = { ["ai.krateo.io/run"] = "uid" } },
    spec = { template = { spec = pod } },
  }
end

describe("a Job", function()
  it("goes into the queue of its namespace", function()
    local shaped = bundle:shape(job(), run(), CONFIG)
    assert.same({ ["ai.krateo.io/run"] = "uid", ["kueue.x-k8s.io/queue-name"] = "team-a" },
      shaped.metadata.labels)
    assert.is_true(shaped.spec.suspend)
    assert.same(job().spec.template, shaped.spec.template)
  end)

  it("stays in the queue that its run names", function()
    local manifest = job()
    manifest.metadata.labels["kueue.x-k8s.io/queue-name"] = "urgent"
    assert.same(manifest, bundle:shape(manifest, run(), CONFIG))
  end)

  it("gets the GPUs that the run asks for", function()
    local pod = bundle:shape(job(), run "2", CONFIG).spec.template.spec
    assert.same({ name = "sidecar" }, pod.containers[1])
    assert.same({ limits = { ["nvidia.com/gpu"] = 2 } }, pod.containers[2].resources)
    assert.same({ { key = "nvidia.com/gpu", operator = "Exists", effect = "NoSchedule" } },
      pod.tolerations)
  end)

  it("keeps what the config has set", function()
    local manifest = job { tolerations = { { key = "mine" } } }
    manifest.spec.template.spec.containers[2].resources = { limits = { memory = "1Gi" } }
    local pod = bundle:shape(manifest, run "1", CONFIG).spec.template.spec
    assert.same({ limits = { memory = "1Gi", ["nvidia.com/gpu"] = 1 } }, pod.containers[2].resources)
    assert.equal(2, #pod.tolerations)
  end)

  it("of a schedule is shaped in its template", function()
    local manifest = { kind = "CronJob", metadata = { labels = {} }, spec = { jobTemplate = job() } }
    local template = bundle:shape(manifest, run "1", CONFIG).spec.jobTemplate
    assert.equal("team-a", template.metadata.labels["kueue.x-k8s.io/queue-name"])
    assert.is_true(template.spec.suspend)
    assert.same({ limits = { ["nvidia.com/gpu"] = 1 } },
      template.spec.template.spec.containers[2].resources)
  end)
end)

describe("gpus", function()
  it("is a number up to 8", function()
    for _, gpus in ipairs { "0", "8" } do
      assert.same({}, bundle:validate({ gpus = gpus }, run(gpus), CONFIG))
    end
    assert.same({}, bundle:validate(nil, run(), CONFIG))
    for _, gpus in ipairs { "9", "-1", "two" } do
      assert.equal("spec.parameters.gpus", bundle:validate({ gpus = gpus }, run(gpus), CONFIG)[1].field)
    end
  end)
end)
