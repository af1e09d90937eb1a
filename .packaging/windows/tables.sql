UPDATE `CustomAction` SET `Type` = 3410 WHERE `Action` = 'UndoRemoveStart'
UPDATE `CustomAction` SET `Type` = 3410 WHERE `Action` = 'UndoRemove'
UPDATE `CustomAction` SET `Type` = 3410 WHERE `Action` = 'UndoInstall'
UPDATE `CustomAction` SET `Type` = 11346 WHERE `Action` = 'Enrol'
UPDATE `CustomAction` SET `Type` = 51 WHERE `Action` = 'KeepServer'
UPDATE `Property` SET `Value` = 'NEWERFOUND;OLDERFOUND;FOUNDSERVER;TONPROBE_SERVER;TONPROBE_CODE' WHERE `Property` = 'SecureCustomProperties'
DELETE FROM `Upgrade` WHERE `ActionProperty` = 'OLDERFOUND'
INSERT INTO `Upgrade` (`UpgradeCode`, `VersionMin`, `VersionMax`, `Attributes`, `ActionProperty`) VALUES ('{9A5D1C0E-6F0B-4C57-9B0E-2B6B6E2E7A41}', '0.0.0', '@VERSION@', 769, 'OLDERFOUND')
UPDATE `Component` SET `Condition` = 'TONPROBE_SERVER' WHERE `Component` = 'Server'
CREATE TABLE `Environment` (`Environment` CHAR(72) NOT NULL, `Name` CHAR(255) NOT NULL LOCALIZABLE, `Value` CHAR(255) LOCALIZABLE, `Component_` CHAR(72) NOT NULL PRIMARY KEY `Environment`)
INSERT INTO `Environment` (`Environment`, `Name`, `Value`, `Component_`) VALUES ('Server', '=-*TONPROBE_SERVER', '[TONPROBE_SERVER]', 'Server')
INSERT INTO `InstallExecuteSequence` (`Action`, `Sequence`) VALUES ('RemoveEnvironmentStrings', 3300)
INSERT INTO `InstallExecuteSequence` (`Action`, `Sequence`) VALUES ('WriteEnvironmentStrings', 5200)
UPDATE `File` SET `Version` = '@VERSION@.0', `Language` = '0' WHERE `File` = 'tonprobe.exe'
DELETE FROM `MsiFileHash` WHERE `File_` = 'tonprobe.exe'
