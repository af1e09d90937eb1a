UPDATE `CustomAction` SET `Type` = 9298 WHERE `Action` = 'Enrol'
UPDATE `CustomAction` SET `Type` = 210 WHERE `Action` = 'Open'
UPDATE `CustomAction` SET `Type` = 210 WHERE `Action` = 'StartBackground'
UPDATE `CustomAction` SET `Type` = 1106 WHERE `Action` = 'StopBackground'
UPDATE `CustomAction` SET `Type` = 51 WHERE `Action` = 'KeepServer'
INSERT INTO `CustomAction` (`Action`, `Type`, `Source`, `Target`) VALUES ('RemoveData', 1634, 'TARGETDIR', '"[System64Folder]cmd.exe" /c rd /s /q "[LocalAppDataFolder]Tonprobe" & reg delete HKCU\Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\Run /v Tonprobe /f')
INSERT INTO `InstallExecuteSequence` (`Action`, `Condition`, `Sequence`) VALUES ('RemoveData', 'REMOVE="ALL" AND NOT UPGRADINGPRODUCTCODE', 3501)
UPDATE `Property` SET `Value` = 'NEWERFOUND;OLDERFOUND;FORALL;FOUNDSERVER;TONPROBE_SERVER;TONPROBE_CODE' WHERE `Property` = 'SecureCustomProperties'
DELETE FROM `Upgrade` WHERE `ActionProperty` = 'OLDERFOUND'
INSERT INTO `Upgrade` (`UpgradeCode`, `VersionMin`, `VersionMax`, `Attributes`, `ActionProperty`) VALUES ('{3F7D8B52-1C94-4E0B-A6D3-5E9B0C7A2F18}', '0.0.0', '@VERSION@', 769, 'OLDERFOUND')
INSERT INTO `RemoveFile` (`FileKey`, `Component_`, `DirProperty`, `InstallMode`) VALUES ('RemovePrograms', 'Program', 'PROGRAMS', 2)
UPDATE `Component` SET `Condition` = 'TONPROBE_SERVER' WHERE `Component` = 'Server'
CREATE TABLE `Environment` (`Environment` CHAR(72) NOT NULL, `Name` CHAR(255) NOT NULL LOCALIZABLE, `Value` CHAR(255) LOCALIZABLE, `Component_` CHAR(72) NOT NULL PRIMARY KEY `Environment`)
INSERT INTO `Environment` (`Environment`, `Name`, `Value`, `Component_`) VALUES ('Server', '=-TONPROBE_SERVER', '[TONPROBE_SERVER]', 'Server')
INSERT INTO `InstallExecuteSequence` (`Action`, `Sequence`) VALUES ('RemoveEnvironmentStrings', 3300)
INSERT INTO `InstallExecuteSequence` (`Action`, `Sequence`) VALUES ('WriteEnvironmentStrings', 5200)
UPDATE `File` SET `Version` = '@VERSION@.0', `Language` = '0' WHERE `File` = 'tonprobe.exe'
DELETE FROM `MsiFileHash` WHERE `File_` = 'tonprobe.exe'
UPDATE `File` SET `Version` = '@VERSION@.0', `Language` = '0' WHERE `File` = 'background.exe'
DELETE FROM `MsiFileHash` WHERE `File_` = 'background.exe'
