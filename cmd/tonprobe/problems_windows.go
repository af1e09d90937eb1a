package main

import "golang.org/x/sys/windows"

// systemProblems are file errors that are specific to this system.
var systemProblems = []fileProblem{
	{windows.ERROR_INVALID_FUNCTION, "problem.is_folder"}, // error of reading a folder
	{windows.ERROR_DIRECTORY, "problem.no_folder"},
	{windows.ERROR_WRITE_PROTECT, "problem.read_only"},
	{windows.ERROR_SHARING_VIOLATION, "problem.held"},
	{windows.ERROR_LOCK_VIOLATION, "problem.held"},
	{windows.ERROR_DISK_FULL, "problem.no_room"},
	{windows.ERROR_HANDLE_DISK_FULL, "problem.no_room"},
	{windows.ERROR_BROKEN_PIPE, "problem.no_reader"},
	{windows.ERROR_NO_DATA, "problem.no_reader"},
}
