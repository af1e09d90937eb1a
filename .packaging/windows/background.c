// tonprobe-background.exe runs "tonprobe.exe service run --user" without a window, from the sign-in to
// the sign-off: Windows opens a window for a console program that it starts itself. It starts the
// program again after a failure, as a service manager does.
//
//   tonprobe-background.exe [ARGUMENTS of tonprobe.exe]
//   tonprobe-background.exe installed the same, unless the person has turned off the start at the sign-in
//   tonprobe-background.exe stop      ends the one that runs in this session
//
// agent/resident/signin_windows.go knows the names of the event and of the mutex.
#include <windows.h>
#include <wchar.h>

#define STOP_EVENT L"Local\\tonprobe-background-stop"
#define RUNNING_MUTEX L"Local\\tonprobe-background"
#define STOP_MS 12000

static HANDLE stop;     // is set to end
static HANDLE child;    // NULL if none runs
static DWORD child_id;

// end_child ends the program as Ctrl+C does, and by force if that takes too long.
static void end_child(DWORD within_ms) {
  if (child == NULL) return;
  if (AttachConsole(child_id)) {
    SetConsoleCtrlHandler(NULL, TRUE);
    GenerateConsoleCtrlEvent(CTRL_C_EVENT, 0);
    WaitForSingleObject(child, within_ms);
    FreeConsole();
    SetConsoleCtrlHandler(NULL, FALSE);
  }
  if (WaitForSingleObject(child, 0) != WAIT_OBJECT_0) TerminateProcess(child, 1);
  WaitForSingleObject(child, 2000);
}

// The window is never visible. Windows tells only windows that the person signs off, or that an
// installer needs the files.
static LRESULT CALLBACK on_message(HWND window, UINT message, WPARAM w, LPARAM l) {
  if (message == WM_QUERYENDSESSION) return TRUE;
  if (message == WM_CLOSE || (message == WM_ENDSESSION && w)) {
    SetEvent(stop);
    end_child(4000);
    return 0;
  }
  return DefWindowProcW(window, message, w, l);
}

// wait waits for what, if not NULL, at most for ms. It returns FALSE when the program is to end.
static BOOL wait(HANDLE what, DWORD ms) {
  HANDLE all[2] = {stop, what};
  ULONGLONG until = GetTickCount64() + ms;
  for (;;) {
    ULONGLONG now = GetTickCount64();
    DWORD left = ms == INFINITE ? INFINITE : now < until ? (DWORD)(until - now) : 0;
    DWORD got = MsgWaitForMultipleObjects(what ? 2 : 1, all, FALSE, left, QS_ALLINPUT);
    if (got == WAIT_OBJECT_0 || got == WAIT_FAILED) return FALSE;
    if (got == WAIT_TIMEOUT || (what && got == WAIT_OBJECT_0 + 1)) return WaitForSingleObject(stop, 0) != WAIT_OBJECT_0;
    MSG m;
    while (PeekMessageW(&m, NULL, 0, 0, PM_REMOVE)) DispatchMessageW(&m);
  }
}

// stop_other ends the one that runs in this session, and waits for its end.
static int stop_other(void) {
  HANDLE event = OpenEventW(EVENT_MODIFY_STATE, FALSE, STOP_EVENT);
  if (event == NULL) return 0;
  SetEvent(event);
  HANDLE running = OpenMutexW(SYNCHRONIZE, FALSE, RUNNING_MUTEX);
  if (running == NULL) return 0;
  DWORD got = WaitForSingleObject(running, STOP_MS + 5000);
  return got == WAIT_OBJECT_0 || got == WAIT_ABANDONED ? 0 : 1;
}

// turned_off reports whether the person has turned off the start at the sign-in in the settings of
// Windows, which store that as an odd first byte.
static BOOL turned_off(void) {
  BYTE value[64];
  DWORD size = sizeof value;
  return RegGetValueW(HKEY_CURRENT_USER, L"Software\\Microsoft\\Windows\\CurrentVersion\\Explorer\\StartupApproved\\Run",
                      L"Tonprobe", RRF_RT_REG_BINARY, NULL, value, &size) == ERROR_SUCCESS && size > 0 && value[0] % 2 == 1;
}

static int run(const wchar_t *arguments) {
  SetProcessShutdownParameters(0x3FF, 0); // told first at the sign-off, before the program that it runs
  // Who owns the mutex runs. It also exists while somebody waits for the end of the former one, and is
  // abandoned by one that was killed.
  HANDLE alone = CreateMutexW(NULL, FALSE, RUNNING_MUTEX);
  DWORD owned = alone ? WaitForSingleObject(alone, 2000) : WAIT_FAILED;
  if (owned != WAIT_OBJECT_0 && owned != WAIT_ABANDONED) return 0; // one runs already
  stop = CreateEventW(NULL, TRUE, FALSE, STOP_EVENT);
  if (stop == NULL) return 1;
  ResetEvent(stop); // it was meant for the former one

  static wchar_t folder[MAX_PATH * 4], command[40000];
  DWORD n = GetModuleFileNameW(NULL, folder, MAX_PATH * 4);
  wchar_t *name = wcsrchr(folder, L'\\');
  if (n == 0 || n >= MAX_PATH * 4 || name == NULL || wcslen(arguments) > 32000) return 1;
  *name = 0;

  WNDCLASSW class = {.lpfnWndProc = on_message, .hInstance = GetModuleHandleW(NULL), .lpszClassName = L"tonprobe-background"};
  RegisterClassW(&class);
  CreateWindowW(class.lpszClassName, L"Tonprobe", 0, 0, 0, 0, 0, NULL, NULL, class.hInstance, NULL);

  // The program ends with this one, however that ends.
  HANDLE job = CreateJobObjectW(NULL, NULL);
  JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE};
  SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof limits);

  for (DWORD pause_ms = 30000;; pause_ms = pause_ms < 600000 ? pause_ms * 2 : 600000) {
    wcscpy(command, L"\"");
    wcscat(command, folder);
    wcscat(command, L"\\tonprobe.exe\" ");
    wcscat(command, arguments);
    STARTUPINFOW start = {.cb = sizeof start};
    PROCESS_INFORMATION process;
    ULONGLONG began = GetTickCount64();
    if (CreateProcessW(NULL, command, NULL, NULL, FALSE, CREATE_NO_WINDOW | CREATE_SUSPENDED, NULL, folder, &start, &process)) {
      AssignProcessToJobObject(job, process.hProcess);
      ResumeThread(process.hThread);
      CloseHandle(process.hThread);
      child = process.hProcess;
      child_id = process.dwProcessId;
      if (!wait(child, INFINITE)) {
        end_child(STOP_MS);
        return 0;
      }
      DWORD status = 1;
      GetExitCodeProcess(child, &status);
      CloseHandle(child);
      child = NULL;
      if (status == 0) return 0; // nothing to do here: the computer has the service
    }
    if (GetTickCount64() - began > 600000) pause_ms = 30000;
    if (!wait(NULL, pause_ms)) return 0;
  }
}

int WINAPI wWinMain(HINSTANCE self, HINSTANCE former, LPWSTR arguments, int show) {
  (void)self, (void)former, (void)show;
  if (wcscmp(arguments, L"stop") == 0) return stop_other();
  if (wcscmp(arguments, L"installed") == 0) return turned_off() ? 0 : run(L"service run --user");
  return run(*arguments ? arguments : L"service run --user");
}
