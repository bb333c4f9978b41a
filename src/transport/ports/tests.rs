use super::*;
use std::os::unix::fs::symlink;

/// A machine of our own: `sys`, `dev` and `proc` in a folder.
struct Machine {
    folder: tempfile::TempDir,
    roots: Roots,
}

impl Machine {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap();
        let roots = Roots { sys: root.join("sys"), dev: root.join("dev"), proc: root.join("proc") };
        for part in ["sys/class/tty", "sys/bus/usb-serial", "sys/bus/usb", "sys/bus/pnp", "dev/serial/by-id", "proc"] {
            fs::create_dir_all(root.join(part)).unwrap();
        }
        Self { folder, roots }
    }

    /// A terminal whose device is that folder of `sys/devices`.
    fn terminal(&self, name: &str, device: &str, bus: &str) {
        let device = self.roots.sys.join("devices").join(device);
        let tty = device.join("tty").join(name);
        fs::create_dir_all(&tty).unwrap();
        symlink("../..", tty.join("device")).unwrap();
        let _ = symlink(self.roots.sys.join("bus").join(bus), device.join("subsystem"));
        symlink(&tty, self.roots.sys.join("class/tty").join(name)).unwrap();
        fs::write(self.roots.dev.join(name), "").unwrap();
    }

    fn usb(&self, port: &str, attributes: &[(&str, &str)]) {
        let device = self.roots.sys.join("devices/usb1").join(port);
        fs::create_dir_all(&device).unwrap();
        for (name, value) in attributes {
            fs::write(device.join(name), format!("{value}\n")).unwrap();
        }
    }

    /// An optical head with a CP2104 on that USB port.
    fn head(&self, port: &str, serial: &str, name: &str) {
        let cp2104 = [("idVendor", "10c4"), ("idProduct", "ea60"), ("product", "CP2104 USB to UART Bridge Controller")];
        self.usb(port, &cp2104);
        self.usb(port, &[("manufacturer", "Silicon Labs"), ("serial", serial)]);
        let interface = format!("{port}:1.0");
        self.usb(&format!("{port}/{interface}"), &[("bInterfaceNumber", "00")]);
        self.terminal(name, &format!("usb1/{port}/{interface}/{name}"), "usb-serial");
    }

    fn unplug(&self, port: &str, name: &str) {
        fs::remove_dir_all(self.roots.sys.join("devices/usb1").join(port)).unwrap();
        fs::remove_file(self.roots.sys.join("class/tty").join(name)).unwrap();
        fs::remove_file(self.roots.dev.join(name)).unwrap();
    }

    fn names(&self) -> Vec<String> {
        let name = |port: Port| port.path.file_name().unwrap().to_str().unwrap().to_owned();
        self.roots.ports().into_iter().map(name).collect()
    }
}

#[test]
fn a_head_on_usb_is_listed_with_all_it_says() {
    let machine = Machine::new();
    machine.head("1-1", "00E1A5F2", "ttyUSB0");
    let device = machine.roots.dev.join("ttyUSB0");
    let by_id = machine.roots.dev.join("serial/by-id/usb-Silicon_Labs_CP2104_00E1A5F2-if00-port0");
    symlink("../../ttyUSB0", &by_id).unwrap();
    let [port] = &machine.roots.ports()[..] else { panic!("{:?}", machine.roots.ports()) };
    assert_eq!((&port.path, &port.by_id, &port.state), (&device, &Some(by_id), &PortState::Free));
    let usb = port.usb.as_ref().unwrap();
    assert_eq!((usb.id().as_str(), usb.serial.as_deref(), usb.interface), ("10c4:ea60", Some("00E1A5F2"), Some(0)));
    assert_eq!(usb.product.as_deref(), Some("CP2104 USB to UART Bridge Controller"));
    assert_eq!(usb.manufacturer.as_deref(), Some("Silicon Labs"));
}

#[test]
fn consoles_and_ports_without_a_chip_are_left_out() {
    let machine = Machine::new();
    for (name, kind) in [("ttyS0", "4"), ("ttyS1", "0")] {
        machine.terminal(name, &format!("pnp0/{name}"), "pnp");
        fs::write(machine.roots.sys.join("class/tty").join(name).join("type"), kind).unwrap();
    }
    fs::create_dir(machine.roots.sys.join("class/tty/tty0")).unwrap();
    fs::write(machine.roots.dev.join("tty0"), "").unwrap();
    machine.head("1-10", "B", "ttyUSB10");
    machine.head("1-9", "A", "ttyUSB9");
    machine.terminal("ttyUSB11", "usb1/1-9/1-9:1.0/ttyUSB11", "usb-serial");
    fs::remove_file(machine.roots.dev.join("ttyUSB11")).unwrap();
    assert_eq!(machine.names(), ["ttyUSB9", "ttyUSB10", "ttyS0"]);
}

#[test]
fn a_machine_without_terminals_has_no_ports() {
    let machine = Machine::new();
    assert_eq!(machine.names(), [""; 0]);
    fs::remove_dir_all(machine.folder.path().join("sys")).unwrap();
    fs::remove_dir_all(machine.folder.path().join("dev")).unwrap();
    assert_eq!(machine.names(), [""; 0]);
}

#[test]
fn a_port_in_use_names_who_has_it() {
    let machine = Machine::new();
    machine.head("1-1", "A", "ttyUSB0");
    let process = machine.roots.proc.join("812");
    fs::create_dir_all(process.join("fd")).unwrap();
    fs::write(process.join("comm"), "minicom\n").unwrap();
    symlink(machine.roots.dev.join("ttyUSB0"), process.join("fd/3")).unwrap();
    let holder = Holder { program: "minicom".into(), pid: 812 };
    assert_eq!(machine.roots.ports()[0].state, PortState::InUse(holder));
}

#[test]
fn a_head_is_found_again_under_another_number() {
    let machine = Machine::new();
    machine.head("1-1", "A", "ttyUSB0");
    machine.head("1-2", "B", "ttyUSB1");
    let head = machine.roots.usb("ttyUSB1").unwrap();
    machine.unplug("1-2", "ttyUSB1");
    assert_eq!(machine.roots.find_again(&head), None);
    machine.head("1-3", "B", "ttyUSB2");
    assert_eq!(machine.roots.find_again(&head), Some(machine.roots.dev.join("ttyUSB2")));
}

#[test]
fn of_two_heads_without_a_number_neither_is_taken_for_the_other() {
    let machine = Machine::new();
    machine.head("1-1", "", "ttyUSB0");
    let head = machine.roots.usb("ttyUSB0").unwrap();
    assert_eq!(head.serial, None);
    assert_eq!(machine.roots.find_again(&head), Some(machine.roots.dev.join("ttyUSB0")));
    machine.head("1-2", "", "ttyUSB1");
    assert_eq!(machine.roots.find_again(&head), None);
}
