-- Refuses a run that is created in a maintenance window (windows.lua). What counts is the time of
-- its creation and not the present: so the answer is the same whenever the controller asks, also
-- after a restart. Schedules are made at any time; their Jobs are Kubernetes' own affair.

local defaults = require "default/parameters"
local windows = require "windows"

local DAY, WEEK = 24 * 3600, 7 * 24 * 3600
local DAYS = { Mon = 0, Tue = 1, Wed = 2, Thu = 3, Fri = 4, Sat = 5, Sun = 6 }

local function second_of_week(seconds)
  local parts = time.parts(seconds)
  return DAYS[parts.weekday] * DAY + parts.hour * 3600 + parts.minute * 60 + parts.second
end

-- How many seconds the window goes on for at that second of a week; not more than 0 outside of it.
local function left_of(window, second)
  local hour, minute = window.from:match "^(%d%d):(%d%d)$"
  local start = DAYS[window.day] * DAY + hour * 3600 + minute * 60
  return duration.parse(window.length) - (second - start) % WEEK
end

local function validate(parameters, run, config)
  local violations = defaults.validate(parameters, run, config)
  if run.spec.schedule then
    return violations
  end
  local created = time.parse(run.metadata.creationTimestamp)
  for _, window in ipairs(windows) do
    local left = left_of(window, second_of_week(created))
    if left > 0 then
      violations[#violations + 1] = {
        field = "metadata.creationTimestamp",
        message = ("there is maintenance until %s: create the run again after it"):format(
          time.format(created + left)),
      }
    end
  end
  return violations
end

return { validate = validate }
