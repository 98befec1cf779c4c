-- The contract: what the runner finds in /tmp/contract.json.
--
-- The engine calls contract(run, config, job) before it creates a Job and stores what comes back,
-- as JSON, in a ConfigMap. run and config are the InferenceRun and the InferenceConfig as they
-- stand in the cluster; job is { id = the run's uid, name = the Job's name }.

-- The members of `kserve`. Configs write them in one of two places: under spec.kserve, or directly
-- under spec. Where both are set, spec.kserve wins.
local MODEL_FIELDS = { "modelName", "modelUrl", "modelVersion", "modelInputName" }

-- Further members of `kserve`, which stand under spec.kserve alone: spec.credentialsRef, for one, is
-- the pull secret of the image.
local OPTIONS = {
  "protocol", "shape", "datatype", "inputs", "columns", "headers", "credentialsRef", "batch",
  "timeoutSeconds", "patienceSeconds", "nonFinite",
}

local function is_set(value)
  return value ~= nil and value ~= json.null and value ~= ""
end

-- Only the fields that are set: a runner tells a field that is missing from one that is empty.
local function kserve(spec)
  local nested = is_set(spec.kserve) and spec.kserve or {}
  local model = json.object {}
  for _, name in ipairs(MODEL_FIELDS) do
    if is_set(nested[name]) then
      model[name] = nested[name]
    elseif is_set(spec[name]) then
      model[name] = spec[name]
    end
  end
  for _, name in ipairs(OPTIONS) do
    if is_set(nested[name]) then
      model[name] = nested[name]
    end
  end
  return model
end

-- Storage has no schema: input and output reach the runner exactly as they were written.
local function contract(run, config, job)
  local storage = is_set(config.spec.storage) and config.spec.storage or {}
  return {
    jobId = job.id,
    jobName = job.name,
    kserve = kserve(config.spec),
    input = storage.input,
    output = storage.output,
    parameters = run.spec.parameters,
    runner = config.spec.runner,
  }
end

return { contract = contract }
