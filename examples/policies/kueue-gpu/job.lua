-- Puts each Job into the Kueue queue of its namespace, unless its run names another one by the same
-- label, and gives the runner the GPUs that the parameter `gpus` asks for.

local QUEUE = "kueue.x-k8s.io/queue-name"

local function container_of(pod)
  for _, container in ipairs(pod.containers) do
    if container.name == "inference" then
      return container
    end
  end
end

local function give_gpus(pod, count)
  local container = container_of(pod)
  -- For what cannot be overcommitted Kubernetes takes the limit as the request.
  container.resources = merge(container.resources or {}, { limits = { ["nvidia.com/gpu"] = count } })
  pod.tolerations = pod.tolerations or json.array {}
  table.insert(pod.tolerations, { key = "nvidia.com/gpu", operator = "Exists", effect = "NoSchedule" })
end

local function shape(manifest, run)
  -- Of a run with a schedule the manifest is a CronJob: what Kueue sees are its Jobs.
  local job = manifest.kind == "CronJob" and manifest.spec.jobTemplate or manifest
  if not job.metadata.labels[QUEUE] then
    job.metadata.labels[QUEUE] = run.metadata.namespace
    job.spec.suspend = true -- until Kueue admits it
  end
  local gpus = tonumber((run.spec.parameters or {}).gpus or 0)
  if gpus > 0 then
    give_gpus(job.spec.template.spec, gpus)
  end
  return manifest
end

return { shape = shape }
