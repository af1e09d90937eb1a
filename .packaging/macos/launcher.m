// The program of the application bundle. macOS delivers a tonprobe:// link as an event and not as
// an argument, and Tonprobe needs a terminal. This program makes a folder for one start, with the
// link in a file of its own, and lets Terminal run Tonprobe.command in it. Opening a file needs no
// permission to control Terminal.
#import <Cocoa/Cocoa.h>

@interface Launcher : NSObject <NSApplicationDelegate>
@property BOOL started;
@end

@implementation Launcher

// start:error: removes the folder if Terminal does not run the script, which otherwise removes it.
- (BOOL)start:(NSString *)link error:(NSError **)error {
  NSFileManager *files = NSFileManager.defaultManager;
  NSString *folder = [NSTemporaryDirectory() stringByAppendingPathComponent:NSUUID.UUID.UUIDString];
  if (![files createDirectoryAtPath:folder withIntermediateDirectories:NO attributes:@{NSFilePosixPermissions : @0700} error:error]) return NO;
  BOOL runs = [self start:link in:folder error:error];
  if (!runs) [files removeItemAtPath:folder error:nil];
  return runs;
}

- (BOOL)start:(NSString *)link in:(NSString *)folder error:(NSError **)error {
  NSFileManager *files = NSFileManager.defaultManager;
  NSBundle *bundle = NSBundle.mainBundle;
  NSString *script = [folder stringByAppendingPathComponent:@"Tonprobe.command"];
  NSString *program = [bundle.bundlePath stringByAppendingPathComponent:@"Contents/Helpers/tonprobe"];
  if (![link writeToFile:[folder stringByAppendingPathComponent:@"link"] atomically:NO encoding:NSUTF8StringEncoding error:error]) return NO;
  if (![program writeToFile:[folder stringByAppendingPathComponent:@"program"] atomically:NO encoding:NSUTF8StringEncoding error:error]) return NO;
  if (![files copyItemAtPath:[bundle pathForResource:@"Tonprobe" ofType:@"command"] toPath:script error:error]) return NO;
  NSTask *terminal = [[NSTask alloc] init];
  terminal.executableURL = [NSURL fileURLWithPath:@"/usr/bin/open"];
  terminal.arguments = @[ @"-b", @"com.apple.Terminal", script ];
  if (![terminal launchAndReturnError:error]) return NO;
  [terminal waitUntilExit];
  if (terminal.terminationStatus != 0) {
    *error = [NSError errorWithDomain:NSCocoaErrorDomain code:NSFileReadUnknownError userInfo:@{NSFilePathErrorKey : script}];
    return NO;
  }
  return YES;
}

- (void)startOrSay:(NSString *)link {
  self.started = YES;
  NSError *error = nil;
  if (![self start:link error:&error]) [[NSAlert alertWithError:error] runModal];
}

// Called before applicationDidFinishLaunching if a link started the program.
- (void)application:(NSApplication *)application openURLs:(NSArray<NSURL *> *)links {
  [self startOrSay:links.firstObject.absoluteString];
  [NSApp terminate:nil];
}

- (void)applicationDidFinishLaunching:(NSNotification *)notification {
  if (!self.started) [self startOrSay:@""];
  [NSApp terminate:nil];
}

@end

// The application does not own its delegate.
static Launcher *launcher;

int main(void) {
  @autoreleasepool {
    launcher = [[Launcher alloc] init];
    NSApplication.sharedApplication.delegate = launcher;
    [NSApp run];
  }
  return 0;
}
