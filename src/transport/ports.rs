//! Which serial ports there are, what is plugged into them, and whether they can be had.
//!
//! Read out of sysfs directly: `serialport`'s own list panics where there is no `/sys/class/tty` (containers), names no
//! `/dev/serial/by-id`, and cannot be tried on a machine that is not there.

use super::access::Access;
use super::holder::{self, Holder};
use std::fs;
use std::path::{Path, PathBuf};

/// A serial port of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// Its device, like `/dev/ttyUSB0`; the number may be another one after the next plugging in.
    pub path: PathBuf,
    /// Its name under `/dev/serial/by-id`, which stays the same.
    pub by_id: Option<PathBuf>,
    /// What is plugged in, where it is a USB device.
    pub usb: Option<Usb>,
    /// Whether it can be had.
    pub state: PortState,
}

/// A USB device that is a serial port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usb {
    /// The vendor's number.
    pub vendor_id: u16,
    /// The vendor's number of the product.
    pub product_id: u16,
    /// The number of this one, where it has one.
    pub serial: Option<String>,
    /// Which of the device's interfaces, for those with several ports.
    pub interface: Option<u8>,
    /// The maker's name, as the device says it.
    pub manufacturer: Option<String>,
    /// The product's name, as the device says it.
    pub product: Option<String>,
}

impl Usb {
    /// Vendor and product as everybody writes them: `10c4:ea60`.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{:04x}:{:04x}", self.vendor_id, self.product_id)
    }
}

/// Whether a port can be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PortState {
    /// Nobody has it.
    Free,
    /// Somebody has it open.
    InUse(Holder),
    /// This user may not open it.
    Denied(Access),
}

/// The serial ports of this machine, those on USB first.
#[must_use]
pub fn ports() -> Vec<Port> {
    Roots::default().ports()
}

/// What is plugged into a port: to be found again by [`find_again`] after it has come back under another number.
#[must_use]
pub fn plugged_into(path: &Path) -> Option<Usb> {
    let path = fs::canonicalize(path).ok()?;
    Roots::default().usb(path.file_name()?.to_str()?)
}

/// The port where a USB device is now; `None` while it is unplugged.
///
/// A device without a serial number is known by its kind, so it is found only while there is one of that kind.
#[must_use]
pub fn find_again(usb: &Usb) -> Option<PathBuf> {
    Roots::default().find_again(usb)
}

/// Where the system keeps its files; elsewhere in tests.
#[derive(Debug)]
struct Roots {
    sys: PathBuf,
    dev: PathBuf,
    proc: PathBuf,
}

impl Default for Roots {
    fn default() -> Self {
        Self { sys: "/sys".into(), dev: "/dev".into(), proc: "/proc".into() }
    }
}

impl Roots {
    fn ports(&self) -> Vec<Port> {
        let mut names: Vec<_> = self.names().into_iter().map(|name| (self.usb(&name), name)).collect();
        names.sort_by_key(|(usb, name)| (usb.is_none(), numbered(name)));
        let paths: Vec<_> = names.iter().map(|(_, name)| self.dev.join(name)).collect();
        let open = holder::opened_by(&self.proc, &paths);
        let by_id = self.by_id();
        let port = |((usb, _), path): ((Option<Usb>, String), PathBuf)| Port {
            by_id: by_id.iter().find(|(target, _)| *target == path).map(|(_, link)| link.clone()),
            usb,
            state: self.state(&path, &open),
            path,
        };
        names.into_iter().zip(paths).map(port).collect()
    }

    /// The terminals that are serial ports with something behind them, and have a device file.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.sys.join("class/tty")).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        names.filter(|name| self.is_port(name) && self.dev.join(name).exists()).collect()
    }

    fn is_port(&self, name: &str) -> bool {
        const BUSES: [&str; 7] = ["usb", "usb-serial", "amba", "pci", "pnp", "platform", "serial-base"];
        let tty = self.sys.join("class/tty").join(name);
        // The kernel prepares ports of the old kind that no chip stands behind: their UART is of type 0, unknown.
        let is_empty = text(&tty, "type").is_some_and(|kind| kind == "0");
        let bus = fs::canonicalize(tty.join("device/subsystem")).ok();
        let bus = bus.as_deref().and_then(Path::file_name).and_then(|bus| bus.to_str());
        !is_empty && (name.starts_with("rfcomm") || bus.is_some_and(|bus| BUSES.contains(&bus)))
    }

    /// The USB device a terminal belongs to: the nearest folder above it that has a vendor.
    fn usb(&self, name: &str) -> Option<Usb> {
        let device = fs::canonicalize(self.sys.join("class/tty").join(name).join("device")).ok()?;
        let interface = device.ancestors().find_map(|folder| number(folder, "bInterfaceNumber"));
        let device = device.ancestors().find(|folder| folder.join("idVendor").exists())?;
        Some(Usb {
            vendor_id: number(device, "idVendor")?,
            product_id: number(device, "idProduct")?,
            serial: text(device, "serial"),
            interface: interface.and_then(|interface| u8::try_from(interface).ok()),
            manufacturer: text(device, "manufacturer"),
            product: text(device, "product"),
        })
    }

    /// Devices and their lasting names.
    fn by_id(&self) -> Vec<(PathBuf, PathBuf)> {
        let entries = fs::read_dir(self.dev.join("serial/by-id")).into_iter().flatten().flatten();
        entries.filter_map(|entry| Some((fs::canonicalize(entry.path()).ok()?, entry.path()))).collect()
    }

    fn state(&self, path: &Path, open: &[(PathBuf, Holder)]) -> PortState {
        let wanted = rustix::fs::Access::READ_OK | rustix::fs::Access::WRITE_OK;
        if rustix::fs::access(path, wanted).is_err()
            && let Some(access) = Access::to(path)
        {
            return PortState::Denied(access);
        }
        let holder = open.iter().find(|(device, _)| device == path).map(|(_, holder)| holder.clone());
        holder.or_else(|| holder::locked_by(&self.proc, path)).map_or(PortState::Free, PortState::InUse)
    }

    fn find_again(&self, wanted: &Usb) -> Option<PathBuf> {
        let same = |usb: &Usb| {
            (usb.vendor_id, usb.product_id, &usb.serial, usb.interface)
                == (wanted.vendor_id, wanted.product_id, &wanted.serial, wanted.interface)
        };
        let mut found = self.names().into_iter().filter(|name| self.usb(name).as_ref().is_some_and(same));
        let first = found.next()?;
        let is_known = wanted.serial.is_some() || found.next().is_none();
        is_known.then(|| self.dev.join(first))
    }
}

/// A name and its number apart, so that `ttyUSB10` comes after `ttyUSB9`.
fn numbered(name: &str) -> (String, u32) {
    let letters = name.trim_end_matches(|c: char| c.is_ascii_digit());
    (letters.to_owned(), name.get(letters.len()..).and_then(|digits| digits.parse().ok()).unwrap_or(0))
}

/// An attribute in sysfs, if it says something.
fn text(folder: &Path, name: &str) -> Option<String> {
    let text = fs::read_to_string(folder.join(name)).ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn number(folder: &Path, name: &str) -> Option<u16> {
    u16::from_str_radix(&text(folder, name)?, 16).ok()
}

#[cfg(test)]
mod tests;
