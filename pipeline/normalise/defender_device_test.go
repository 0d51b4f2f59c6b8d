package normalise

import (
	"strings"
	"testing"
)

func TestDeviceFile(t *testing.T) {
	// What happened to a file on a device, where it lies and who asked for it.
	const request = `"RequestAccountName":"Bob","RequestAccountDomain":"CONTOSO","RequestAccountSid":"S-1-5-21-1-2-3-1002","RequestSourceIP":"10.1.2.3"`
	for name, test := range map[string]struct{ columns, gist, location, object, file, ip string }{
		"created": {
			adaColumns + `,"ActionType":"FileCreated","FileName":"plan.docx","FolderPath":"C:\\Users\\ada\\plan.docx"`,
			"file.created success person ada@contoso.com", "device", `C:\Users\ada\plan.docx`, "plan.docx", "",
		},
		"folder alone": {
			adaColumns + `,"ActionType":"FileModified","FileName":"plan.docx","FolderPath":"/home/ada"`,
			"file.modified success person ada@contoso.com", "device", `/home/ada/plan.docx`, "plan.docx", "",
		},
		"summed up": {
			adaColumns + `,"ActionType":"FileCreatedAggregatedReport","FileName":"plan.docx","FolderPath":null`,
			"file.created success person ada@contoso.com", "device", `plan.docx`, "plan.docx", "",
		},
		"archive": {
			adaColumns + `,"ActionType":"FileCreated","FileName":"all.7Z","FolderPath":"C:\\t\\all.7Z","FileOriginUrl":null`,
			"file.archived success person ada@contoso.com", "device", `C:\t\all.7Z`, "all.7Z", "",
		},
		"archive from the web": {
			adaColumns + `,"ActionType":"FileCreated","FileName":"tool.zip","FolderPath":"C:\\t\\tool.zip","FileOriginUrl":"https://example.net/tool.zip"`,
			"file.created success person ada@contoso.com", "device", `C:\t\tool.zip`, "tool.zip", "",
		},
		"over the network": {
			systemColumns + `,` + request + `,"RequestProtocol":"Smb","ShareName":"finance","ActionType":"FileCreated","FileName":"q.zip","FolderPath":"D:\\finance\\q.zip"`,
			`file.created success person S-1-5-21-1-2-3-1002`, "network_share", `D:\finance\q.zip`, "q.zip", "10.1.2.3",
		},
		"locally requested": {
			systemColumns + `,` + request + `,"RequestProtocol":"Local","ActionType":"FileDeleted","FileName":"q.txt","FolderPath":"D:\\q.txt"`,
			`file.deleted success person S-1-5-21-1-2-3-1002`, "device", `D:\q.txt`, "q.txt", "",
		},
		"to a share": {
			adaColumns + `,"ActionType":"FileCreated","FileName":"q.txt","FolderPath":"\\\\nas1\\drop\\q.txt"`,
			"file.copied_to_network_share success person ada@contoso.com", "network_share", `\\nas1\drop\q.txt`, "q.txt", "",
		},
		"long path": {
			adaColumns + `,"ActionType":"FileCreated","FileName":"q.txt","FolderPath":"\\\\?\\C:\\q.txt"`,
			"file.created success person ada@contoso.com", "device", `\\?\C:\q.txt`, "q.txt", "",
		},
		"to a stick": {
			adaColumns + `,"ActionType":"FileCreated","FileName":"q.txt","FolderPath":"E:\\q.txt","AdditionalFields":"{\"IsOnRemovableMedia\":true}"`,
			"file.copied_to_removable_media success person ada@contoso.com", "removable_media", `E:\q.txt`, "q.txt", "",
		},
		"system": {
			systemColumns + `,"ActionType":"FileDeleted","FileName":"t.tmp","FolderPath":"C:\\Windows\\Temp\\t.tmp"`,
			`file.deleted success system nt authority\system`, "device", `C:\Windows\Temp\t.tmp`, "t.tmp", "",
		},
		"remote desktop": {
			adaColumns + `,"IsInitiatingProcessRemoteSession":1,"InitiatingProcessRemoteSessionIP":"203.0.113.9","ActionType":"FileDeleted","FileName":"t.tmp","FolderPath":"C:\\t.tmp"`,
			"file.deleted success person ada@contoso.com", "device", `C:\t.tmp`, "t.tmp", "203.0.113.9",
		},
	} {
		t.Run(name, func(t *testing.T) {
			out := defenderOut(t, streamed("DeviceFileEvents", "{"+deviceColumns+","+test.columns+"}"))
			if got := defenderGist(out); got != test.gist {
				t.Fatalf("got  %s\nwant %s", got, test.gist)
			}
			e := out.Events[0]
			for what, pair := range map[string][2]string{
				"location": {e.File.Location, test.location}, "object": {e.Clear.Object, test.object},
				"name": {e.Clear.FileName, test.file}, "address": {e.Clear.SourceIP, test.ip}, "device": {e.Clear.DeviceName, "ws7.contoso.com"},
			} {
				if pair[0] != pair[1] {
					t.Errorf("%s %q, want %q", what, pair[0], pair[1])
				}
			}
			if e.File.Object == 0 || e.File.Name == 0 || e.Device == nil || e.Device.ID == 0 {
				t.Errorf("no hashes: %+v %+v", e.File, e.Device)
			}
		})
	}
}

func TestDeviceFile_rename(t *testing.T) {
	// A renamed file has its new name, and the old one joins it to its past.
	e := defenderEvent(t, streamed("DeviceFileEvents", `{`+deviceColumns+`,`+adaColumns+`,"ActionType":"FileRenamed","FileName":"holiday.jpg","FolderPath":"C:\\t\\holiday.jpg",
		"PreviousFileName":"Forecast.xlsx","PreviousFolderPath":"C:\\t","FileSize":"2048","SensitivityLabel":"Confidential","SensitivitySubLabel":"Finance"}`))
	if e.Clear.FileName != "holiday.jpg" || e.File.Extension != "jpg" || e.Clear.PreviousName != "Forecast.xlsx" || e.Clear.PreviousPath != `C:\t` {
		t.Errorf("names: %+v %+v", e.File, e.Clear)
	}
	if want := defenderMapper().hash("file_name", "forecast.xlsx"); e.File.Previous != want {
		t.Errorf("previous %x, want the hash of the old name", e.File.Previous)
	}
	if e.File.Size != 2048 || e.File.Label != `Confidential\Finance` {
		t.Errorf("size %d, label %q", e.File.Size, e.File.Label)
	}
}

func TestDeviceEvent(t *testing.T) {
	// Of hundreds of action types those that move data off the device count,
	// and of devices those that store.
	const loggedOn = `\"LoggedOnUsers\":[{\"UserName\":\"ada\",\"DomainName\":\"CONTOSO\",\"Sid\":\"S-1-5-21-1-2-3-1001\"}]`
	for name, test := range map[string]struct{ columns, want string }{
		"mounted, who is logged on": {
			systemColumns + `,"ActionType":"UsbDriveMounted","AdditionalFields":"{\"BusType\":\"Usb\",\"ProductName\":\"Traveler\",\"Manufacturer\":\"Acme\",\"SerialNumber\":\"AC77\",\"DriveLetter\":\"E:\",` + loggedOn + `}"`,
			"device.removable_media_mounted success person S-1-5-21-1-2-3-1001",
		},
		"users in a string": {
			`"ActionType":"UsbDriveUnmounted","AdditionalFields":{"BusType":"Usb","SerialNumber":"AC77","LoggedOnUsers":"[{\"UserName\":\"ada\",\"DomainName\":\"CONTOSO\"}]"}`,
			`device.removable_media_unmounted success person contoso\ada`,
		},
		"two are logged on": {
			systemColumns + `,"ActionType":"UsbDriveMounted","AdditionalFields":{"SerialNumber":"AC77","LoggedOnUsers":[{"UserName":"ada","DomainName":"CONTOSO"},{"UserName":"bob","DomainName":"CONTOSO"}]}`,
			`device.removable_media_mounted success system nt authority\system`,
		},
		"mounted image": {adaColumns + `,"ActionType":"UsbDriveMounted","AdditionalFields":{"BusType":"FileBackedVirtual"}`, "skip device_without_storage"},
		"stick plugged in": {
			adaColumns + `,"ActionType":"PnpDeviceConnected","AdditionalFields":"{\"ClassName\":\"DiskDrive\",\"DeviceId\":\"USBSTOR\\\\Disk&Ven_Acme\\\\AC77\",\"DeviceDescription\":\"Disk drive\"}"`,
			"device.removable_media_connected success person ada@contoso.com",
		},
		"phone plugged in": {
			adaColumns + `,"ActionType":"PnpDeviceConnected","AdditionalFields":{"ClassName":"WPD","DeviceId":"USB\\VID_1234&PID_5678\\1"}`,
			"device.removable_media_connected success person ada@contoso.com",
		},
		"the stick again":  {adaColumns + `,"ActionType":"PnpDeviceConnected","AdditionalFields":{"ClassName":"WPD","DeviceId":"SWD\\WPDBUSENUM\\_??_USBSTOR#Disk"}`, "skip device_without_storage"},
		"headset":          {adaColumns + `,"ActionType":"PnpDeviceConnected","AdditionalFields":"{\"ClassName\":\"AudioEndpoint\"}"`, "skip device_without_storage"},
		"virtual drive":    {adaColumns + `,"ActionType":"PnpDeviceConnected","AdditionalFields":{"ClassName":"DiskDrive","DeviceId":"SCSI\\Disk&Ven_Msft&Prod_Virtual_Disk"}`, "skip device_without_storage"},
		"built-in drive":   {adaColumns + `,"ActionType":"PnpDeviceConnected","AdditionalFields":{"ClassName":"DiskDrive","DeviceId":"SCSI\\Disk&Ven_NVMe"}`, "skip device_without_storage"},
		"nothing told":     {adaColumns + `,"ActionType":"PnpDeviceConnected","AdditionalFields":null`, "skip device_without_storage"},
		"written to stick": {adaColumns + `,"ActionType":"RemovableStorageFileEvent","FileName":"q.txt","FolderPath":"E:\\q.txt","AdditionalFields":""`, "file.copied_to_removable_media success person ada@contoso.com"},
		"sensitive file":   {adaColumns + `,"ActionType":"SensitiveFileRead","FileName":"pay.xlsx","FolderPath":"C:\\pay.xlsx"`, "file.sensitive_read success person ada@contoso.com"},
		"screenshot":       {adaColumns + `,"ActionType":"ScreenshotTaken"`, "device.screenshot_taken success person ada@contoso.com"},
		"clipboard":        {`"AccountName":"ada","AccountDomain":"contoso","ActionType":"GetClipboardData"`, `device.clipboard_read success person contoso\ada`},
		"print blocked":    {adaColumns + `,"ActionType":"PrintJobBlocked","AdditionalFields":{"JobOrDocumentName":"pay.xlsx"}`, "file.printed failure person ada@contoso.com"},
		"any other":        {adaColumns + `,"ActionType":"NtAllocateVirtualMemoryApiCall"`, "skip device_action"},
		"no action":        {adaColumns + `,"ActionType":null`, "skip device_action"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := defenderGist(defenderOut(t, streamed("DeviceEvents", "{"+deviceColumns+","+test.columns+"}"))); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestDeviceEvent_drive(t *testing.T) {
	// A drive is one object by its serial number, mounted or not.
	const more = `,"AdditionalFields":"{\"BusType\":\"Usb\",\"ProductName\":\"Traveler\",\"Manufacturer\":\"Acme \",\"SerialNumber\":\"AC77\",\"DriveLetter\":\"E:\"}"}`
	in := defenderEvent(t, streamed("DeviceEvents", "{"+deviceColumns+`,`+adaColumns+`,"ActionType":"UsbDriveMounted"`+more))
	out := defenderEvent(t, streamed("DeviceEvents", "{"+deviceColumns+`,`+adaColumns+`,"ActionType":"UsbDriveUnmounted"`+strings.Replace(more, "E:", "F:", 1)))
	if in.File.Object == 0 || in.File.Object != out.File.Object || in.File.ItemType != "volume" || in.File.Location != "removable_media" {
		t.Errorf("got %+v and %+v", in.File, out.File)
	}
	if in.Clear.Removable != "Acme Traveler AC77" {
		t.Errorf("drive %q", in.Clear.Removable)
	}
	if in.ID == out.ID {
		t.Error("two events share an id")
	}
}

func TestDeviceNetwork(t *testing.T) {
	// A connection counts when the device made it, and its destination when it
	// has a name.
	for name, test := range map[string]struct{ columns, gist, class string }{
		"host":      {`"ActionType":"ConnectionSuccess","RemoteUrl":"www.dropbox.com","RemoteIP":"198.51.100.4"`, "network.connected success person ada@contoso.com", ClassPersonalCloud},
		"url":       {`"ActionType":"ConnectionSuccess","RemoteUrl":"https://drive.example.net:8443/up?x=1"`, "network.connected success person ada@contoso.com", ClassExternal},
		"address":   {`"ActionType":"ConnectionFailed","RemoteUrl":"198.51.100.4","RemoteIP":"198.51.100.4"`, "network.connected failure person ada@contoso.com", ""},
		"null":      {`"ActionType":"ConnectionFound","RemoteUrl":null,"RemoteIP":"198.51.100.4"`, "network.connected success person ada@contoso.com", ""},
		"inspected": {`"ActionType":"SslConnectionInspected","AdditionalFields":"{\"direction\":\"Out\",\"server_name\":\"www.dropbox.com\"}"`, "network.connected unknown person ada@contoso.com", ClassPersonalCloud},
		"coming in": {`"ActionType":"HttpConnectionInspected","AdditionalFields":"{\"direction\":\"In\"}"`, "skip device_action", ""},
		"accepted":  {`"ActionType":"InboundConnectionAccepted"`, "skip device_action", ""},
	} {
		t.Run(name, func(t *testing.T) {
			out := defenderOut(t, streamed("DeviceNetworkEvents", "{"+deviceColumns+","+adaColumns+`,"RemotePort":443,"LocalIP":"10.0.0.7",`+test.columns+"}"))
			if got := defenderGist(out); got != test.gist {
				t.Fatalf("got  %s\nwant %s", got, test.gist)
			}
			for _, e := range out.Events {
				class := ""
				if e.Destination != nil {
					class = e.Destination.Class
				}
				if class != test.class || e.Clear.SourceIP != "10.0.0.7" {
					t.Errorf("class %q from %s, want %q", class, e.Clear.SourceIP, test.class)
				}
			}
		})
	}
}
