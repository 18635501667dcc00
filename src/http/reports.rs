//! Reports of measurements: what operators have put where the service looks for them.

use super::Service;
use super::error::{Error, Result};
use super::query::Query;
use crate::wire::catalog::Code;
use crate::wire::report::{Report, ReportFile, Reports, UnreadableReport};
use actix_web::{HttpRequest, HttpResponse, web};
use std::cmp::Reverse;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::Path;

/// A larger file is no report.
const MAX_BYTES: u64 = 1024 * 1024;
/// Files that are read, by name; the others are named as unread.
const MAX_FILES: usize = 200;

const TOO_MANY: &str = "there are more than 200 files; move old ones away";

/// The reports of `callboard bench` and `callboard chaos` in the folder of the service, the newest first.
#[utoipa::path(get, path = "/api/v1/reports", tag = "service", responses((status = 200, body = Reports)))]
pub async fn list(service: web::Data<Service>, request: HttpRequest) -> Result<HttpResponse> {
    Query::of(&request).finish()?;
    let folder = service.reports.clone();
    let read = web::block(move || read(&folder)).await;
    let reports = read.map_err(|error| Error::new(Code::Internal, error.to_string()))?;
    let reports = reports.map_err(|error| {
        let detail = format!("The folder {} cannot be read: {error}.", service.reports.display());
        Error::new(Code::Internal, detail)
    })?;
    Ok(HttpResponse::Ok().json(reports))
}

fn read(folder: &Path) -> io::Result<Reports> {
    let mut reports = Reports { folder: folder.display().to_string(), items: Vec::new(), unreadable: Vec::new() };
    let entries = match fs::read_dir(folder) {
        // Nothing has been measured yet.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(reports),
        entries => entries?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".json") {
            names.push(name);
        }
    }
    names.sort();
    for (index, file) in names.into_iter().enumerate() {
        let read = if index < MAX_FILES { report(&folder.join(&file)) } else { Err(refused(TOO_MANY)) };
        match read {
            Ok(report) => reports.items.push(ReportFile { file, report }),
            Err(error) => reports.unreadable.push(UnreadableReport { file, detail: error.to_string() }),
        }
    }
    reports.items.sort_by_key(|item| Reverse(item.report.taken_at));
    Ok(reports)
}

fn refused(why: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, why)
}

fn report(file: &Path) -> io::Result<Report> {
    // Anything else might never come to its end.
    if !fs::metadata(file)?.is_file() {
        return Err(refused("it is not a file"));
    }
    let mut text = String::new();
    File::open(file)?.take(MAX_BYTES).read_to_string(&mut text)?;
    Ok(serde_json::from_str(&text)?)
}
