module kraft/local/tools/pods

go 1.26.0
