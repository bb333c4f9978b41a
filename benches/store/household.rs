//! A year of a household with a solar roof, one reading after the other: what the size of a store depends on.
//!
//! Appliances switch, clouds pass, voltages and the frequency wander, and every value has the noise of its last digit.

use releve::reading::{Code, Decimal, Instant, MeterId, Protocol, Reading, Register, Unit};
use releve::store::Entry;

/// The twelve usual registers: code, unit, decimals.
pub const REGISTERS: [(&str, &str, i8); 12] = [
    ("1.8.0", "kWh", -3),
    ("2.8.0", "kWh", -3),
    ("16.7.0", "W", 0),
    ("32.7.0", "V", -1),
    ("52.7.0", "V", -1),
    ("72.7.0", "V", -1),
    ("31.7.0", "A", -2),
    ("51.7.0", "A", -2),
    ("71.7.0", "A", -2),
    ("14.7.0", "Hz", -2),
    ("13.7.0", "", -3),
    ("5.8.0", "kvarh", -3),
];

pub struct Household {
    random: u64,
    second: i64,
    step: i64,
    volts: [f64; 3],
    frequency: f64,
    cloud: f64,
    load: [f64; 3],
    left: [i64; 3],
    import: f64,
    export: f64,
    reactive: f64,
    codes: Vec<(Code, Option<Unit>)>,
    meter: MeterId,
}

impl Household {
    /// From 2024-01-01 on, a reading each `step` seconds.
    pub fn new(step: i64) -> Self {
        Self {
            random: 0x9E37_79B9_7F4A_7C15,
            second: 1_704_067_200 - step,
            step,
            volts: [0.0; 3],
            frequency: 0.0,
            cloud: 0.7,
            load: [0.0; 3],
            left: [0; 3],
            import: 154_320.0,
            export: 30_100.0,
            reactive: 12_004.0,
            codes: REGISTERS.iter().map(|(code, unit, _)| (Code::parse(code.as_bytes()), Unit::parse(unit))).collect(),
            meter: MeterId::new("E450001234").unwrap(),
        }
    }

    /// Between 0 and 1.
    fn uniform(&mut self) -> f64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 11) as f64 / (1u64 << 53) as f64
    }

    /// About normal, of deviation 1.
    fn noise(&mut self) -> f64 {
        (0..4).map(|_| self.uniform()).sum::<f64>() * 1.732 - 3.464
    }

    /// The next values, as mantissas in the order of [`REGISTERS`], and their time.
    pub fn values(&mut self) -> (i64, [i64; 12]) {
        self.second += self.step;
        let minutes = self.step as f64 / 60.0;
        let hour = self.second.rem_euclid(86_400) as f64 / 3600.0;
        let summer = ((self.second - 1_704_067_200) as f64 / 31_557_600.0 * std::f64::consts::TAU).cos();
        self.cloud = (self.cloud + 0.03 * minutes.sqrt() * self.noise()).clamp(0.1, 1.0);
        let height = ((hour - 6.0) / 12.0 * std::f64::consts::PI).sin().max(0.0);
        let solar = 4000.0 * (0.55 - 0.45 * summer) * height * self.cloud;
        self.frequency = 0.95 * self.frequency + 0.006 * self.noise();
        let mut out = [0i64; 12];
        let mut total = 0.0;
        for phase in 0..3 {
            self.switch(phase, hour, minutes);
            self.volts[phase] = 0.97 * self.volts[phase] + 0.3 * self.noise();
            let volts = 231.0 + phase as f64 + self.volts[phase] + (hour / 24.0 * std::f64::consts::TAU).cos();
            let fridge = if phase == 1 && self.second / 1020 % 3 == 0 { 92.0 } else { 0.0 };
            let base = [130.0, 75.0, 48.0][phase] + fridge;
            let watts =
                base * (1.0 + 0.03 * self.noise()) + self.load[phase] * (1.0 + 0.006 * self.noise()) - solar / 3.0;
            total += watts;
            out[3 + phase] = (volts * 10.0).round() as i64;
            out[6 + phase] = (watts.abs() / volts / 0.96 * 100.0).round() as i64;
        }
        let wh = total * self.step as f64 / 3600.0;
        if wh > 0.0 {
            self.import += wh
        } else {
            self.export -= wh
        }
        self.reactive += wh.abs() * 0.25;
        out[0] = self.import as i64;
        out[1] = self.export as i64;
        out[2] = total.round() as i64;
        out[9] = (5000.0 + self.frequency * 100.0).round() as i64;
        out[10] = (962.0 + 9.0 * self.noise()).round().min(1000.0) as i64;
        out[11] = self.reactive as i64;
        (self.second, out)
    }

    fn switch(&mut self, phase: usize, hour: f64, minutes: f64) {
        if self.left[phase] > 0 {
            self.left[phase] -= self.step;
            return;
        }
        self.load[phase] = 0.0;
        let often = if (17.0..22.0).contains(&hour) {
            0.02
        } else if hour > 6.0 {
            0.006
        } else {
            0.001
        };
        if self.uniform() < often * minutes {
            self.load[phase] = 300.0 + self.uniform() * 2500.0;
            self.left[phase] = 300 + (self.uniform() * 3600.0) as i64;
        }
    }

    /// The next reading, to be kept.
    pub fn entry(&mut self) -> Entry {
        let (second, values) = self.values();
        let mut reading = Reading::new(Protocol::Dlms);
        reading.meter = Some(self.meter.clone());
        let numbers = self.codes.iter().zip(REGISTERS).zip(values);
        reading.registers = numbers
            .map(|(((code, unit), (_, _, decimals)), mantissa)| {
                Register::number(code.clone(), Decimal::new(mantissa, decimals), *unit)
            })
            .collect();
        Entry {
            meter: self.meter.clone(),
            at: Instant::from_unix(second),
            source: "cii".to_owned(),
            reading,
            derived: false,
        }
    }
}
