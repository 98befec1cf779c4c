-- Who may do what. A run belongs to the team that has its namespace.
--   tables  what the names of its tables start with
--   runs    the longest time that a run may ask for (timeoutSeconds)
--   memory  the most that a config may give to the runner
return {
  green = { namespaces = { "green", "green-test" }, tables = "green_", runs = "1h", memory = "2Gi" },
  blue = { namespaces = { "blue" }, tables = "blue_", runs = "15m", memory = "512Mi" },
}
