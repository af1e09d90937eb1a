// Writes the text in the window of a program to a file, in UTF-8: screen-text.exe PROGRAM FILE.
// .ci/wine-test compares it with what a person should read there.
#include <windows.h>
#include <stdio.h>
#include <tlhelp32.h>

static int write_screen(const wchar_t *file) {
  CONSOLE_SCREEN_BUFFER_INFO info;
  wchar_t row[512];
  char text[2048];
  HANDLE console = CreateFileW(L"CONOUT$", GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, 0, OPEN_EXISTING, 0, 0);
  FILE *out;
  if (console == INVALID_HANDLE_VALUE || !GetConsoleScreenBufferInfo(console, &info)) return 1;
  out = _wfopen(file, L"wb");
  if (!out) return 1;
  for (COORD at = {0, info.srWindow.Top}; at.Y <= info.srWindow.Bottom; at.Y++) {
    DWORD n = min(info.dwSize.X, 512);
    if (!ReadConsoleOutputCharacterW(console, row, n, at, &n)) return 1;
    while (n > 0 && row[n - 1] == ' ') n--;
    fprintf(out, "%.*s\n", WideCharToMultiByte(CP_UTF8, 0, row, n, text, sizeof text, 0, 0), text);
  }
  return fclose(out);
}

int wmain(int argc, wchar_t **argv) {
  PROCESSENTRY32W entry = {sizeof entry};
  HANDLE all = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
  if (argc != 3) return 64;
  for (BOOL more = Process32FirstW(all, &entry); more; more = Process32NextW(all, &entry)) {
    if (_wcsicmp(entry.szExeFile, argv[1])) continue;
    FreeConsole();
    // The program in the background has a console without a window.
    if (AttachConsole(entry.th32ProcessID) && IsWindowVisible(GetConsoleWindow())) return write_screen(argv[2]);
  }
  return 1;
}
