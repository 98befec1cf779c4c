-- The built-in status, and for the person who reads it what to do next.

local defaults = require "default/status"

local MEMORY = "Raise resources.limits.memory of the container inference in the config's podTemplate, "
  .. "or read fewer rows, and create the run again."
local IMAGE = "Compare spec.image of the config with what the registry has, and see that "
  .. "credentialsRef names a Secret of this namespace that may read it."
local HANDLER = "Look at the database handler, the path in the config's storage and the names of the tables."

local NEXT = {
  OOMKilled = MEMORY,
  ErrImagePull = IMAGE,
  ImagePullBackOff = IMAGE,
  InvalidImageName = IMAGE,
  Unschedulable = "Ask for less in the config's podTemplate, or ask the cluster's operators for a node "
    .. "that has as much.",
  CreateContainerConfigError = "Create the Secret or ConfigMap that is named, in this namespace.",
  ContractInvalid = "Correct what is named in the config or the parameters, and create the run again.",
  InputFailed = HANDLER,
  OutputFailed = HANDLER,
  InferenceFailed = "See that the InferenceService is ready and that modelUrl, modelName and "
    .. "modelInputName are its own.",
  SecretUnreadable = "Create the Secret that endpointRef names, with the key server-url.",
  DeadlineExceeded = "Raise timeoutSeconds, or let the run do less.",
}

local function status(run, job, pods, now)
  local answer = defaults.status(run, job, pods, now)
  local advice = NEXT[answer.reason]
  -- The built-in status may say again what it said the last time, with our advice in it.
  if advice and not answer.message:find(advice, 1, true) then
    answer.message = answer.message .. (answer.message:find "%.$" and " " or ". ") .. advice
  end
  return answer
end

return { status = status }
